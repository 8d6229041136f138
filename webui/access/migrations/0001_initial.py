from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    operations: ClassVar = [
        migrations.CreateModel(
            name="Setting",
            fields=[
                ("key", models.CharField(max_length=20, primary_key=True, serialize=False)),
                ("value", models.JSONField(default=dict)),
            ],
            options={"db_table": "access_setting", "ordering": ["key"]},
        ),
        migrations.CreateModel(
            name="Trial",
            fields=[
                ("kind", models.CharField(max_length=20, primary_key=True, serialize=False)),
                ("who", models.CharField(max_length=150)),
                ("ends_at", models.DateTimeField()),
                ("before", models.JSONField(default=dict)),
            ],
            options={"db_table": "access_trial", "ordering": ["kind"]},
        ),
    ]

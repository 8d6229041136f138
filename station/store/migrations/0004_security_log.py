from django.db import migrations, models


def move(apps, editor):
    """What the journal holds of security events becomes the security log's."""
    critical = {
        "StartupOfTheDevice",
        "ResetOrReboot",
        "SettingSystemTime",
        "TamperDetectionActivated",
    }
    old = apps.get_model("store", "JournalEntry").objects.filter(kind="security_event")
    log = apps.get_model("store", "SecurityLogEntry").objects
    for entry in old.order_by("id").iterator(500):
        data = entry.data if isinstance(entry.data, dict) else {}
        kind = str(data.get("type", ""))[:50]
        log.create(at=entry.at, type=kind, tech_info=str(data.get("tech_info", ""))[:255], critical=kind in critical)
    old.delete()


class Migration(migrations.Migration):

    dependencies = [
        ('store', '0003_certificate'),
    ]

    operations = [
        migrations.CreateModel(
            name='SecurityLogEntry',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField(db_index=True)),
                ('type', models.CharField(max_length=50)),
                ('tech_info', models.CharField(blank=True, default='', max_length=255)),
                ('critical', models.BooleanField(default=True)),
            ],
            options={
                'db_table': 'station_security_log',
                'ordering': ['id'],
            },
        ),
        migrations.RunPython(move, migrations.RunPython.noop, elidable=True),
    ]
